mod bad_user_data;
mod killed_bake;
mod killed_daemon;
mod light;
mod main_job;
mod page;
mod random;
mod virtual_machine;
